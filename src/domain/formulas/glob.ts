/** Whether a glob (`*` any text, `?` one character) matches a whole text. Product of both at most, whatever the pattern. */
export function globMatches(glob: string, text: string): boolean {
  let star = -1;
  let resume = 0;
  let at = 0;
  let index = 0;
  while (index < text.length) {
    if (glob[at] === "*") {
      star = at;
      resume = index;
      at += 1;
    } else if (at < glob.length && (glob[at] === "?" || glob[at] === text[index])) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      at = star + 1;
      resume += 1;
      index = resume;
    } else return false;
  }
  while (glob[at] === "*") at += 1;
  return at === glob.length;
}
