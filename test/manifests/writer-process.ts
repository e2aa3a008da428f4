import { NodeGit } from "../../src/adapters/git/node-git.ts";
import { createNodeFiles } from "../../src/adapters/node-files.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { CommitWriter } from "../../src/manifests/commit-writer.ts";
import { silentLog } from "../../src/ports/log.ts";
import { repositoryAt } from "../adapters/git/git-site.ts";
import { SAMPLE_KINDS } from "./sample-kinds.ts";
import { ADA, MAIN, editFrom, pool } from "./writer-site.ts";

// Scales pool api/a in the repository of its argument up and up, and prints each number once its write is acknowledged.
const root = process.argv[2] ?? "";
const repository = await repositoryAt(new NodeGit(), root);
const writer = new CommitWriter({
  repository,
  files: createNodeFiles(),
  clock: systemClock,
  log: silentLog,
  kinds: SAMPLE_KINDS,
  target: async () => ({ branch: MAIN, directory: "manifests" }),
  locals: async () => new Map(),
  originOf: () => undefined,
  committed: async () => {},
});
for (let replicas = 2; replicas <= 200; replicas += 1) {
  const key = pool("a");
  const before = {
    apiVersion: "town.dev/v1alpha1",
    kind: key.kind,
    metadata: { name: "a", namespace: "api", uid: "u", resourceVersion: "1", generation: 1, creationTimestamp: "" },
    spec: { role: "crew", provider: "shell", replicas: replicas - 1, suspend: false },
  };
  await writer.write(editFrom(before, key, { replicas }, ADA));
  process.stdout.write(`${replicas}\n`);
}
