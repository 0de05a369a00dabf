/** What happened while a person was away, in words. */
import type { ActivityReport, EditedFile } from "../messages";

function others(file: EditedFile, own: string): string[] {
  return [...new Set(file.by.map((one) => one.author.name).filter((name) => name !== "" && name !== own))];
}

/** Whether somebody else did something since; a person who was never here has not been away. */
export function worthTelling(report: ActivityReport, own: string): boolean {
  return report.last_seen_ms !== null && summary(report, own) !== "";
}

function counted(count: number, one: string, many: string): string | null {
  return count === 0 ? null : count === 1 ? `1 ${one}` : `${count} ${many}`;
}

/** Such as "2 files changed by Ben, 1 AI job, 3 suggestions wait"; empty if there is nothing to tell. */
export function summary(report: ActivityReport, own: string): string {
  const files = report.files.filter((file) => others(file, own).length > 0);
  const names = [...new Set(files.flatMap((file) => others(file, own)))];
  const by = names.length > 0 ? ` by ${names.slice(0, 3).join(", ")}${names.length > 3 ? " and others" : ""}` : "";
  const changed = counted(files.length, "file changed", "files changed");
  const jobs = report.jobs.filter((job) => job.kind === "job").length;
  const parts = [changed && changed + by, counted(jobs, "AI job ended", "AI jobs ended")].filter((part) => part !== null);
  if (parts.length === 0) return "";
  const waiting = counted(report.suggestions.length, "suggestion waits", "suggestions wait");
  return [...parts, waiting].filter((part) => part !== null).join(", ");
}
