import type { Files } from "../ports/files.ts";
import type { TownLayout } from "../ports/loop-ports.ts";
import type { Processes } from "../ports/processes.ts";

const FORMAT_VERSION = 1;

/** Tells programs where the API is and which process serves it; removed when the controller ends in order. */
export async function endpointFile(at: {
  readonly files: Files;
  readonly processes: Processes;
  readonly layout: TownLayout;
  readonly tlsPort: number;
}): Promise<{ remove(): Promise<void> }> {
  const path = `${at.layout.state}/endpoint.json`;
  const { pid, startTime, bootId } = await at.processes.self();
  await at.files.writeAtomic(
    path,
    `${JSON.stringify({ version: FORMAT_VERSION, socket: at.layout.socket, tlsPort: at.tlsPort, pid, startTime, bootId })}\n`,
    { mode: 0o600 },
  );
  return { remove: () => at.files.remove(path) };
}
