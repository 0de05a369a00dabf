/** Asks the server what a version held. */
import type { VersionFile } from "../messages";

function address(room: string, version: string): string {
  return `/api/rooms/${encodeURIComponent(room)}/versions/${encodeURIComponent(version)}`;
}

async function answerOf(url: string, signal: AbortSignal): Promise<Response> {
  const answer = await fetch(url, { signal });
  if (answer.ok) return answer;
  throw new Error(answer.status === 404 ? "This version is not kept any more." : `The server answered with status ${answer.status}.`);
}

/** The files of a version, by path. Raises an Error for people. */
export async function askFiles(room: string, version: string, signal: AbortSignal): Promise<VersionFile[]> {
  const answer = await answerOf(address(room, version), signal);
  return ((await answer.json()) as { files: VersionFile[] }).files;
}

/** The text that a file had. Raises an Error for people. */
export async function askText(room: string, version: string, path: string, signal: AbortSignal): Promise<string> {
  const file = path.split("/").map(encodeURIComponent).join("/");
  return (await answerOf(`${address(room, version)}/files/${file}`, signal)).text();
}
