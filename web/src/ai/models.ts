/** The models that a person may ask for by name. */
import type { Job } from "../messages";
import type { ServerFacts } from "../store/state";

/** The server's own first, then those that answered jobs of this room; each once. */
export function knownModels(server: ServerFacts | null, jobs: Job[]): string[] {
  const asked = jobs.filter((job) => job.kind === "job" && !job.offline && job.model !== "").map((job) => job.model);
  return [...new Set([...(server?.model ? [server.model] : []), ...asked])];
}
