/** Who wrote something, in words and colours. */
import { moment } from "../ai/words";
import type { BlameAuthor, Job } from "../messages";
import { COLORS } from "../people/identity";
import type { Participant } from "../people/participants";

const WHO: Record<BlameAuthor["kind"], string> = {
  person: "",
  job: "AI",
  undo: "Undo",
  import: "Import",
  change: "Change",
  unknown: "Unknown",
};

/** For the narrow margin, such as "Ada" or "AI · Ada". */
export function shortAuthor(author: BlameAuthor): string {
  return [WHO[author.kind], author.name].filter(Boolean).join(" · ") || "Somebody";
}

/** All that is known, such as "AI job asked by Ada · loom-1 · “explain the area” · 12:04". */
export function longAuthor(author: BlameAuthor, atMs: number): string {
  const asked = author.name ? ` by ${author.name}` : "";
  const what: Record<BlameAuthor["kind"], string> = {
    person: author.name || "Somebody",
    job: `AI job asked${asked || " by somebody"}`,
    undo: `Brought back by an undo${asked}`,
    import: `Import${asked}`,
    change: `Written at once${asked}`,
    unknown: "Nobody knows who",
  };
  const prompt = author.prompt ? `“${author.prompt}”` : null;
  return [what[author.kind], author.model, prompt, atMs > 0 ? moment(atMs) : null].filter(Boolean).join(" · ");
}

/** A person's own colour while they are here, a job's own, or one that is the same for the same name. */
export function colorOfAuthor(author: BlameAuthor, people: readonly Participant[], jobs: readonly Job[]): string {
  if (author.kind === "unknown") return "#7f8a99";
  const job = jobs.find((one) => one.job === author.job);
  if (job) return job.color;
  const person = people.find((one) => one.kind === "person" && one.name === author.name);
  if (person) return person.color;
  let sum = 0;
  for (const char of author.author) sum = (sum * 31 + char.codePointAt(0)!) >>> 0;
  return COLORS[sum % COLORS.length]!;
}
