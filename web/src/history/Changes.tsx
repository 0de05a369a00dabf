/** What differs between two versions, file by file. */
import type { Comparison, FileDiff } from "../messages";

const KINDS: Record<FileDiff["kind"], string> = { added: "New", removed: "Removed", renamed: "Renamed", changed: "Changed" };
const MARKS = { same: " ", new: "+", gone: "−" } as const;
const NAMES = { same: "same", new: "added", gone: "removed" } as const;

function FileChanges({ diff, restore }: { diff: FileDiff; restore: ((diff: FileDiff) => void) | null }) {
  return (
    <section className="review-file" data-testid="version-change" data-path={diff.path} aria-label={`${KINDS[diff.kind]}: ${diff.path}`}>
      <header className="row wrap">
        <span className="mono">{diff.path}</span>
        {diff.before && <span className="muted small mono">was {diff.before}</span>}
        <span className="muted small">
          {KINDS[diff.kind]}, {diff.added} new and {diff.removed} gone {diff.added + diff.removed === 1 ? "line" : "lines"}
        </span>
        <span className="grow" />
        {restore && (
          <button type="button" className="button small" data-testid="restore-file" onClick={() => restore(diff)}>
            Restore this file
          </button>
        )}
      </header>
      {!diff.whole && <p className="muted small">Too much to show here; look at the file as it was.</p>}
      {diff.hunks.length > 0 && (
        <pre className="diff" tabIndex={0} aria-label={`Changes of ${diff.path}`}>
          {diff.hunks.map((hunk, index) => [
            <span key={index} className="diff-fold">
              Line {hunk.after + 1}
            </span>,
            ...hunk.lines.map(({ mark, text }, line) => (
              <span key={`${index}-${line}`} className={`diff-${NAMES[mark]}`}>
                <span className="diff-mark" aria-hidden="true">
                  {MARKS[mark]}
                </span>
                {mark === "same" ? text : mark === "new" ? <ins>{text}</ins> : <del>{text}</del>}
              </span>
            )),
          ])}
        </pre>
      )}
    </section>
  );
}

/** `restore` is null where the files of the older version cannot be brought back from here. */
export function Changes({ comparison, restore }: { comparison: Comparison; restore: ((diff: FileDiff) => void) | null }) {
  if (comparison.files.length === 0) return <p className="muted small">Nothing differs.</p>;
  return (
    <>
      {comparison.files.map((diff) => (
        // A file that is new since has no older text to bring back; restoring it would remove it.
        <FileChanges key={diff.file} diff={diff} restore={diff.kind === "added" ? null : restore} />
      ))}
      {comparison.more > 0 && <p className="muted small">{comparison.more} more files differ.</p>}
    </>
  );
}
