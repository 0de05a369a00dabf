import { useMemo } from "react";
import { diffTexts } from "./diff";

const MARKS = { same: " ", added: "+", removed: "−" } as const;

/** What would change, line by line. */
export function DiffView({ before, after, label }: { before: string; after: string; label: string }) {
  const lines = useMemo(() => diffTexts(before, after), [before, after]);
  if (before === after) return <p className="muted small">No difference.</p>;
  return (
    <pre className="diff" aria-label={label} tabIndex={0}>
      {lines.map((line, index) =>
        line.kind === "folded" ? (
          <span key={index} className="diff-fold">
            {line.count} unchanged lines
          </span>
        ) : (
          <span key={index} className={`diff-${line.kind}`}>
            <span className="diff-mark" aria-hidden="true">
              {MARKS[line.kind]}
            </span>
            {line.kind === "same" ? line.text : line.kind === "added" ? <ins>{line.text}</ins> : <del>{line.text}</del>}
          </span>
        ),
      )}
    </pre>
  );
}
