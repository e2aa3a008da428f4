/** Whoever asks again does so within seconds, and each caller waits for one answer at a time. */
const kept = 2_000;

/** Answers to requests that carried an id, so that asking again changes nothing. The oldest are forgotten first. */
export class RequestMemory {
  readonly #answers: Map<string, unknown>;
  readonly #running = new Map<string, Promise<unknown>>();

  constructor(answers: ReadonlyMap<string, unknown>) {
    this.#answers = new Map(answers);
  }

  get answers(): ReadonlyMap<string, unknown> {
    return this.#answers;
  }

  /** Runs `start` unless the request was answered or is under way; then that answer is given. */
  once(id: string, start: () => Promise<unknown>): Promise<unknown> {
    if (this.#answers.has(id)) return Promise.resolve(this.#answers.get(id));
    const running = this.#running.get(id);
    if (running !== undefined) return running;
    const answer = start().finally(() => this.#running.delete(id));
    this.#running.set(id, answer);
    return answer;
  }

  remember(id: string, answer: unknown): void {
    this.#answers.set(id, answer);
    if (this.#answers.size <= kept) return;
    const oldest = this.#answers.keys().next().value;
    if (oldest !== undefined) this.#answers.delete(oldest);
  }
}
