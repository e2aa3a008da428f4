import { isRecord } from "../../resource/equality.ts";

/**
 * What was said in a conversation, from the file in which a program keeps it: JSON lines that hold messages with a role
 * and a text (Claude Code, Codex, Gemini and others differ in where), or plain lines as they are. Newest last.
 */
export function transcriptText(file: string): string {
  const said = file.split("\n").flatMap((line) => sayingOf(line.trim()));
  return said.join("\n\n");
}

function sayingOf(line: string): readonly string[] {
  if (line === "") return [];
  if (!line.startsWith("{")) return [line];
  const record = parsed(line);
  if (record === undefined) return [];
  const message = [record, record["message"], record["payload"], record["item"]].find(
    (each): each is Fields => isRecord(each) && typeof each["role"] === "string",
  );
  if (message === undefined) return [];
  const text = textOf(message["content"] ?? message["text"] ?? message["parts"]).trim();
  return text === "" ? [] : [`${String(message["role"])}: ${text}`];
}

type Fields = Readonly<Record<string, unknown>>;

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (Array.isArray(content))
    return content
      .map((part) => textOf(part))
      .filter((part) => part !== "")
      .join("\n");
  return isRecord(content) && typeof content["text"] === "string" ? content["text"] : "";
}

/** The first line of a file's tail is often cut: what is no JSON is left out. */
function parsed(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
