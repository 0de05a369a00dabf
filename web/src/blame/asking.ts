/** Asks the server who wrote what of a file. */
import type { BlameResult } from "../messages";

export type Blamed = Pick<BlameResult, "authors" | "ranges">;

export function blameAddress(room: string, path: string): string {
  const file = path.split("/").map(encodeURIComponent).join("/");
  return `/api/rooms/${encodeURIComponent(room)}/blame/${file}`;
}

/** Raises an Error that says why there is no answer. */
export async function askBlame(room: string, path: string, signal: AbortSignal): Promise<Blamed> {
  const answer = await fetch(blameAddress(room, path), { signal });
  if (!answer.ok) throw new Error(`The server did not say who wrote ${path} (status ${answer.status}).`);
  return (await answer.json()) as Blamed;
}

/** The length of the text that an answer is about, in UTF-16 units. */
export function lengthOf(blamed: Blamed): number {
  const last = blamed.ranges.at(-1);
  return last ? last.offset + last.length : 0;
}
