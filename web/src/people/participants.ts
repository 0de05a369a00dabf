/** Who is in the room, read from awareness. Anybody can put anything there, so every field is checked. */
import type { Awareness } from "y-protocols/awareness";
import { isColor } from "./identity";

export interface Participant {
  client: number;
  name: string;
  color: string;
  kind: "person" | "job";
  /** The job's id, for kind job. */
  job: string | null;
  /** Id of the file that is open there. */
  file: string | null;
  /** Yjs relative position of the cursor's head, as JSON. */
  head: unknown;
  self: boolean;
}

export function readParticipant(client: number, state: unknown, self: boolean): Participant | null {
  if (typeof state !== "object" || state === null) return null;
  const { user, file, cursor } = state as { user?: unknown; file?: unknown; cursor?: unknown };
  if (typeof user !== "object" || user === null) return null;
  const { name, color, kind, job } = user as Record<string, unknown>;
  return {
    client,
    name: typeof name === "string" && name.trim() ? name.slice(0, 80) : "Somebody",
    color: isColor(color) ? color : "#6b7280",
    kind: kind === "job" ? "job" : "person",
    job: typeof job === "string" ? job : null,
    file: typeof file === "string" ? file : null,
    head: typeof cursor === "object" && cursor !== null ? (cursor as { head?: unknown }).head ?? null : null,
    self,
  };
}

/** This person first, then people, then jobs, each by name. */
export function readParticipants(awareness: Awareness): Participant[] {
  const own = awareness.clientID;
  const rank = (one: Participant): number => (one.self ? 0 : one.kind === "person" ? 1 : 2);
  return [...awareness.getStates()]
    .map(([client, state]) => readParticipant(client, state, client === own))
    .filter((one) => one !== null)
    .sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name) || a.client - b.client);
}
