/**
 * A terminal program in the manner of real agents: raw mode, bracketed paste, a draft line, Enter submits. What it reads
 * goes to a file, one JSON text a line: `submitted` drafts and pasted `blocks`. Modes: `deaf` loses the first Enter,
 * `numb` the first two, `dialog` opens a question after a submission whose Enter approves, `late` reads nothing for 1.5 s, `busy` draws a
 * spinner all the time, `quit` ends as soon as something is pasted,
 * `alternate` draws on the alternate screen, `slow` looks at its input every 400 ms only, `mute` draws nothing at all.
 */
export const TYPING_AGENT = `
const { appendFileSync } = require("node:fs");
const decoder = new (require("node:string_decoder").StringDecoder)("utf8");
const [mode, out] = process.argv.slice(2);
const note = (kind, text) => appendFileSync(out, JSON.stringify({ kind, text }) + "\\n");
let draft = "", block, deaf = { deaf: 1, numb: 2 }[mode] ?? 0, dialog = false;
const draw = () => mode !== "mute" && process.stdout.write("\\r\\x1b[K> " + draft.split("\\n").at(-1).slice(-60));
process.stdin.setRawMode(true);
process.stdout.write("\\x1b[?2004h");
const START = "\\x1b[200~", END = "\\x1b[201~";
let held = "";
const take = (data) => {
  let text = held + decoder.write(data);
  held = "";
  while (text !== "") {
    if (block === undefined && text.length < START.length && START.startsWith(text)) { held = text; return; }
    if (block === undefined && text.startsWith(START)) { block = ""; text = text.slice(START.length); continue; }
    if (block !== undefined) {
      block += text;
      const end = block.indexOf(END);
      if (end === -1) return;
      text = block.slice(end + END.length);
      draft += block.slice(0, end);
      note("block", block.slice(0, end));
      block = undefined;
      if (mode === "quit") process.exit(7);
      draw();
      continue;
    }
    const key = text[0]; text = text.slice(1);
    if (key !== "\\r") { draft += key; draw(); continue; }
    if (dialog) { note("approved", ""); dialog = false; continue; }
    if (deaf > 0) { deaf -= 1; continue; }
    note("submitted", draft); if (mode !== "mute") process.stdout.write("\\r\\n* " + draft.slice(0, 40).replaceAll("\\r", " ") + "\\r\\n"); draft = "";
    if (mode === "dialog") { dialog = true; process.stdout.write("Allow? [Enter]"); } else draw();
  }
};
const slowly = () => { process.stdin.pause(); setInterval(() => { const data = process.stdin.read(); if (data !== null) take(data); }, 400); };
const listen = () => { if (mode === "alternate") process.stdout.write("\\x1b[?1049h\\x1b[H"); if (mode === "slow") slowly(); else process.stdin.on("data", take); note("ready", ""); draw(); };
if (mode === "late") { note("ready", ""); setTimeout(listen, 1500); } else listen();
let spin = 0;
if (mode === "busy") setInterval(() => process.stdout.write("\\x1b7\\x1b[1;1H" + "|/-\\\\"[spin++ % 4] + "\\x1b8"), 50);
setInterval(() => {}, 1000);
`;
