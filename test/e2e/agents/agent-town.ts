import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseDocument } from "yaml";
import { TownProcess } from "../town-process.ts";
import { type AgentProgram, programCache } from "./installed.ts";
import { ModelServer } from "./model-server.ts";

const manifests = fileURLToPath(new URL("../../../manifests/builtin/providers/", import.meta.url));

/** What a person who trusts a program with everything would turn on. */
const AUTONOMY: Readonly<Record<AgentProgram, readonly string[]>> = {
  claude: ["--allowedTools=Bash"],
  codex: ["--dangerously-bypass-approvals-and-sandbox"],
  gemini: ["--yolo", "--skip-trust"],
  opencode: ["--auto=true"],
};

/** Not below a directory that everybody can write to, as /tmp is: some programs trust no settings there. */
function homes(): string {
  const directory = join(programCache(), "homes");
  mkdirSync(directory, { recursive: true });
  return directory;
}

/** A town whose agents are a real program that asks a scripted model on this machine. */
export class AgentTown extends TownProcess {
  readonly project: string;
  readonly server: ModelServer;
  readonly #program: AgentProgram;

  private constructor(program: AgentProgram, bin: string, server: ModelServer) {
    super({ PATH: `${bin}:${process.env["PATH"] ?? "/usr/bin:/bin"}` }, homes());
    this.#program = program;
    this.server = server;
    this.project = join(this.home, "project");
  }

  /** `runtime`: of its sessions. One polecat at most, no crew, no convoy yet. */
  static async make(program: AgentProgram, bin: string, runtime: "Tmux" | "Process" = "Tmux"): Promise<AgentTown> {
    const town = new AgentTown(program, bin, await ModelServer.listen());
    town.initWithRig();
    town.#settle(runtime);
    town.#settings();
    return town;
  }

  override end(): void {
    super.end();
    void this.server.close();
  }

  /**
   * Some programs take seconds of a whole core to start: on a busy machine that is a minute. A failure also tells what the
   * program printed and what the model was asked last.
   */
  override async until<T>(what: string, look: () => T | undefined | false, timeoutMs = 170_000): Promise<T> {
    try {
      return await super.until(what, look, timeoutMs);
    } catch (error) {
      const name = this.agent("worker")?.name ?? this.agent("crew")?.name ?? "";
      const printed = this.run("logs", `agent/${name}`, "-n", "api", "--tail", "60");
      const turns = this.server.turns.slice(-3).map(({ entries }) =>
        entries
          .slice(-6)
          .map(({ from, text }) => `${from}: ${text.slice(-700)}`)
          .join("\n"),
      );
      throw new Error([printed.stdout, printed.stderr, ...turns].join("\n----\n"), { cause: error });
    }
  }

  /** One bead for the polecat; the lines are what the model does. */
  work(name: string, lines: readonly string[]): void {
    const script = lines.map((line) => `        ${line}`).join("\n");
    this.commit(
      `hq/convoys/${name}.yaml`,
      `apiVersion: town.dev/v1alpha1\nkind: Convoy\nmetadata:\n  name: ${name}\n  namespace: hq\nspec:\n  owner: pat@example.org\n  items:\n    - name: one\n      rig: api\n      title: Write ${name}\n      description: |\n${script}\n`,
    );
  }

  /** Whether a program that is seen takes input, as its manifest recognises it. */
  isAtPrompt(name: string): boolean {
    const document = parseDocument(readFileSync(join(manifests, `${this.#program}.yaml`), "utf8"));
    const sign = new RegExp(String(document.getIn(["spec", "ready", "screen"])), "mu");
    const screen = this.run("peek", name);
    return screen.status === 0 && sign.test(screen.stdout);
  }

  isClosed(name: string): boolean {
    const conditions = this.object("convoy", "hq", name)?.status?.conditions ?? [];
    return conditions.some(({ type, status }) => type === "Closed" && status === "True");
  }

  /** The only agent of a role: name and what its record says. */
  agent(role: string): { readonly name: string; readonly metadata: Record<string, unknown> } | undefined {
    const list = this.json("get", "agents", "-n", "api") as
      | { items: { metadata: { name: string }; spec: { role: string } }[] }
      | undefined;
    const name = list?.items.find(({ spec }) => spec.role === role)?.metadata.name;
    if (name === undefined) return undefined;
    const shown = this.run("bd", "show", `api-agent-${name}`, "--json");
    const [record] = shown.status === 0 ? (JSON.parse(shown.stdout) as { metadata?: Record<string, unknown> }[]) : [];
    return { name, metadata: record?.metadata ?? {} };
  }

  /** Manifests: the shipped provider with autonomy, a role without a formula, pools of the program. */
  #settle(runtime: string): void {
    const document = parseDocument(readFileSync(join(manifests, `${this.#program}.yaml`), "utf8"));
    document.setIn(["spec", "autonomyArgs"], AUTONOMY[this.#program]);
    // Without a model it asks another one which to take.
    if (this.#program === "gemini") document.setIn(["spec", "model"], "gemini-2.5-flash");
    const variables = Object.entries(this.#variables()).map(([name, value]) => ({ name, value }));
    const { env = [] } = (document.toJS() as { spec: { env?: readonly unknown[] } }).spec;
    document.setIn(["spec", "env"], [...env, ...variables]);
    const write = (path: string, text: string): void => {
      const full = join(this.directory, "manifests", path);
      mkdirSync(join(full, ".."), { recursive: true });
      writeFileSync(full, text);
    };
    write(`providers/${this.#program}.yaml`, document.toString());
    write(
      "roles/worker.yaml",
      "apiVersion: town.dev/v1alpha1\nkind: Role\nmetadata:\n  name: worker\nspec:\n  lifecycle: Ephemeral\n  prompt: You work.\n",
    );
    for (const [name, role, replicas] of [
      ["polecats", "worker", 1],
      ["crew", "crew", 0],
    ] as const)
      write(
        `api/agentpools/${name}.yaml`,
        `apiVersion: town.dev/v1alpha1\nkind: AgentPool\nmetadata:\n  name: ${name}\n  namespace: api\nspec:\n  role: ${role}\n  provider: ${this.#program}\n  replicas: ${replicas}\n`,
      );
    const town = join(this.directory, "manifests", "towns", "hq.yaml");
    writeFileSync(
      town,
      readFileSync(town, "utf8")
        .replace(/^spec:\n/m, `spec:\n  runtime: ${runtime}\n`)
        .replace(/\n {2}runtime: Auto\n/, "\n"),
    );
    this.git(this.directory, "add", "--all");
    this.git(this.directory, "commit", "--quiet", "--message", "real agents");
  }

  #variables(): Readonly<Record<string, string>> {
    const { url } = this.server;
    switch (this.#program) {
      case "claude":
        return {
          ANTHROPIC_BASE_URL: url,
          ANTHROPIC_API_KEY: "dummy-key-dummy-key",
          CLAUDE_CODE_AUTO_COMPACT_WINDOW: "100000",
        };
      case "codex":
        return { SCRIPTED_KEY: "dummy" };
      case "gemini":
        return { GOOGLE_GEMINI_BASE_URL: url, GEMINI_API_KEY: "dummy" };
      case "opencode":
        return { OPENCODE_DISABLE_MODELS_FETCH: "1" };
      default:
        return this.#program satisfies never;
    }
  }

  /** What a person has in their home once they have used the program. */
  #settings(): void {
    const write = (path: string, text: string): void => {
      mkdirSync(join(this.home, path, ".."), { recursive: true });
      writeFileSync(join(this.home, path), text);
    };
    const { url } = this.server;
    write(
      ".claude.json",
      JSON.stringify({
        hasCompletedOnboarding: true,
        theme: "dark",
        projects: { [join(this.directory, "rigs")]: { hasTrustDialogAccepted: true } },
        customApiKeyResponses: { approved: ["dummy-key-dummy-key"] },
      }),
    );
    write(
      ".codex/config.toml",
      [
        'model = "scripted"\nmodel_provider = "scripted"\nmodel_auto_compact_token_limit = 150000\n[model_providers.scripted]\nname = "scripted"',
        `base_url = "${url}/v1"\nwire_api = "responses"\nenv_key = "SCRIPTED_KEY"`,
        '[analytics]\nenabled = false\n[otel]\nmetrics_exporter = "none"\n[features]\nplugins = false\napps = false\n',
      ].join("\n"),
    );
    write(".gemini/settings.json", JSON.stringify({ security: { auth: { selectedType: "gemini-api-key" } } }));
    const options = { baseURL: `${url}/v1`, apiKey: "dummy" };
    const provider = {
      npm: "@ai-sdk/openai-compatible",
      name: "Scripted",
      options,
      models: { scripted: { name: "scripted" } },
    };
    // As after its first start with a network: it installs what plugins may import, and waits for that.
    const plugin = { dependencies: { "@opencode-ai/plugin": "1.18.33" } };
    mkdirSync(join(this.home, ".config/opencode/node_modules"), { recursive: true });
    write(".config/opencode/package.json", JSON.stringify(plugin));
    write(".config/opencode/package-lock.json", JSON.stringify({ lockfileVersion: 3, packages: { "": plugin } }));
    write(
      ".config/opencode/opencode.json",
      JSON.stringify({ model: "scripted/scripted", provider: { scripted: provider } }),
    );
  }
}
