/** Versions of the room in words, and in order. */
import { moment } from "../ai/words";
import type { Job, VersionInfo } from "../messages";

/** The versions with this one, newest first; null stays null, as they have not been asked for yet. */
export function withVersion(versions: VersionInfo[] | null, version: VersionInfo): VersionInfo[] | null {
  if (versions === null) return null;
  const others = versions.filter((one) => one.version !== version.version);
  return [version, ...others].sort((a, b) => b.number - a.number);
}

/** Why a version was made. */
export function causeOf(version: VersionInfo, jobs: readonly Job[]): string {
  const prompt = jobs.find((job) => job.job === version.job)?.prompt;
  const job = prompt ? `“${prompt.length > 60 ? `${prompt.slice(0, 60)}…` : prompt}”` : "an AI job";
  switch (version.cause) {
    case "job_started":
      return `Before ${job}`;
    case "job_ended":
      return `After ${job}`;
    case "named":
      return "Named";
    case "work":
      return "While people worked";
    case "import":
      return "After an import";
    case "restore":
      return "After a restore";
  }
}

/** Who had a hand in it, as far as known. */
export function peopleOf(version: VersionInfo, jobs: readonly Job[]): string[] {
  const known = new Set(jobs.map((job) => job.job));
  const names = [version.by, ...version.touched.flatMap((file) => file.by)].filter((name) => name !== "");
  return [...new Set(names.map((name) => (known.has(name) ? "AI" : name)))];
}

/** What is looked at first: what a job did, or what happened since a moment. */
export interface Start {
  job?: string;
  since?: number;
}

/** The version to begin with and what to compare it with (null is now); of versions that are newest first. */
export function startAt(versions: readonly VersionInfo[], start: Start): { version: VersionInfo | null; against: VersionInfo | null } {
  const { job, since } = start;
  const version =
    job !== undefined
      ? versions.find((one) => one.cause === "job_started" && one.job === job)
      : since !== undefined
        ? (versions.find((one) => one.at_ms <= since) ?? versions.at(-1))
        : undefined;
  const against = job === undefined ? undefined : versions.find((one) => one.cause === "job_ended" && one.job === job);
  return { version: version ?? versions[0] ?? null, against: (version && against) ?? null };
}

/** One line for a version: its name or why it is there, and when. */
export function describeVersion(version: VersionInfo, jobs: readonly Job[]): string {
  return `${version.name || causeOf(version, jobs)}, ${moment(version.at_ms)}`;
}
