/** The models that a person may ask for by name. */
import type { Job, ModelInfo } from "../messages";
import type { ServerFacts } from "../store/state";

export interface Choosable {
  name: string;
  /** What it takes in and is good at, in words; empty if that is not known. */
  about: string;
}

function about(model: ModelInfo): string {
  return [`${model.context_tokens.toLocaleString("en")} tokens`, ...model.capabilities].join(", ");
}

/** Those that are configured, in their order, then others that answered jobs of this room; each once. */
export function knownModels(server: ServerFacts | null, jobs: Job[]): Choosable[] {
  const configured = (server?.models ?? []).map((model) => ({ name: model.name, about: about(model) }));
  const names = new Set(configured.map((model) => model.name));
  const asked = jobs.filter((job) => job.kind === "job" && !job.offline && job.model !== "" && !names.has(job.model));
  const others = [...new Set(asked.map((job) => job.model))];
  return [...configured, ...others.map((name) => ({ name, about: "" }))];
}
