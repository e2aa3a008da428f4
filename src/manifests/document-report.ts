import type { ObjectKey } from "../resource/object-meta.ts";
import type { FieldPath } from "./field-path.ts";
import type { Problem } from "./problem.ts";
import type { YamlDocument } from "./yaml-document.ts";

interface Finding {
  readonly reason: string;
  readonly message: string;
  readonly hint?: string | undefined;
  /** Where to point: at the key of the path or at its value. Default Value. */
  readonly at?: "Key" | "Value";
  /** Default Error. */
  readonly severity?: Problem["severity"];
}

/** Collects what is wrong with one document; places come from the document, the key is filled in once it is known. */
export class DocumentReport {
  readonly #path: string;
  readonly #document: YamlDocument;
  readonly #problems: Problem[] = [];
  #key: ObjectKey | undefined;

  constructor(path: string, document: YamlDocument) {
    this.#path = path;
    this.#document = document;
    for (const fault of document.faults) this.#problems.push({ path, severity: "Error", ...fault });
  }

  set key(key: ObjectKey | undefined) {
    this.#key = key;
  }

  add(path: FieldPath, { at = "Value", severity = "Error", reason, message, hint }: Finding): void {
    const place = this.#document.placeOf(path, at);
    this.#problems.push({
      path: this.#path,
      ...place,
      severity,
      reason,
      message,
      ...(hint === undefined ? {} : { hint }),
    });
  }

  get failed(): boolean {
    return this.#problems.some((problem) => problem.severity === "Error");
  }

  get problems(): readonly Problem[] {
    const key = this.#key;
    return key === undefined ? this.#problems : this.#problems.map((problem) => ({ ...problem, key }));
  }
}
