/** Below the text: who wrote the line of the cursor. So the margin can be read without a mouse. */
import { useRoom, useSession } from "../store/context";
import type { LineAuthor } from "./margin";
import { longAuthor } from "./words";

export function BlameLine({ line }: { line: LineAuthor | null }) {
  const session = useSession();
  const known = useRoom((state) => state.ai.jobs.some((job) => job.job === line?.author.job));
  return (
    <div className="blame-line" data-testid="blame-line">
      <span className="ellipsis small" role="status">
        {line ? longAuthor(line.author, line.atMs) : "Nobody is known to have written this line"}
      </span>
      {line && known && (
        <button type="button" className="link small" onClick={() => session.review(line.author.job)}>
          Review
        </button>
      )}
    </div>
  );
}
