/** Exactly what a model was sent for a job: each piece and why, what was left out, and the text word for word. */
import { useEffect, useRef, useState } from "react";
import { Icon } from "../layout/Icon";
import type { SentAsk, SentPiece } from "../messages";
import { useRoom, useSession } from "../store/context";
import { kindName, parted, purposeName, roleName, share } from "./sent";
import { moment, STRATEGIES } from "./words";

function Name({ name }: { name: string }) {
  const session = useSession();
  const file = useRoom((state) => state.files.find((one) => one.shown === name));
  if (!file) return <span className="mono">{name}</span>;
  return (
    <button type="button" className="link mono" onClick={() => session.open(file.id)}>
      {name}
    </button>
  );
}

function Piece({ piece, ask }: { piece: SentPiece; ask: SentAsk }) {
  const left = piece.form === "left_out";
  return (
    <li className="piece" data-testid={left ? "piece-left-out" : "piece"} data-kind={piece.kind} data-name={piece.name} data-form={piece.form}>
      <p className="row wrap">
        <span className="badge">{kindName(piece)}</span>
        <Name name={piece.name} />
        {piece.form === "summary" && <span className="badge summary">Outline only</span>}
        {piece.pinned && <span className="badge">Always sent</span>}
        <span className="grow" />
        {!left && <span className="muted small">{piece.tokens.toLocaleString("en")} tokens</span>}
      </p>
      {!left && (
        <div className="share" aria-hidden="true">
          <div style={{ width: `${share(piece, ask) * 100}%` }} />
        </div>
      )}
      <p className="small">{piece.why}</p>
      {piece.reason && <p className="small warn">{left ? `Left out: ${piece.reason}` : piece.reason}</p>}
    </li>
  );
}

function Pieces({ ask }: { ask: SentAsk }) {
  const { sent, left } = parted(ask);
  return (
    <>
      <section aria-label="Sent">
        <h3>Sent</h3>
        <ul className="pieces">
          {sent.map((piece, index) => (
            <Piece key={index} piece={piece} ask={ask} />
          ))}
        </ul>
        {sent.length === 0 && <p className="muted small">Only the request itself.</p>}
      </section>
      {left.length > 0 && (
        <section aria-label="Left out">
          <h3>Left out</h3>
          <ul className="pieces">
            {left.map((piece, index) => (
              <Piece key={index} piece={piece} ask={ask} />
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function Words({ ask }: { ask: SentAsk }) {
  return ask.messages.map((message, index) => (
    <section key={index} aria-label={roleName(message.role)}>
      <h3>
        {roleName(message.role)} <span className="muted small mono">{message.role}</span>
      </h3>
      <pre className="sent-text" data-testid="sent-message" data-role={message.role} tabIndex={0}>
        {message.content}
      </pre>
    </section>
  ));
}

function Ask({ ask }: { ask: SentAsk }) {
  const [view, setView] = useState<"pieces" | "words">("pieces");
  const strategy = STRATEGIES.find(([name]) => name === ask.strategy)?.[1] ?? ask.strategy;
  const tab = (name: typeof view, text: string) => (
    <button type="button" aria-pressed={view === name} data-testid={`sent-${name}`} onClick={() => setView(name)}>
      {text}
    </button>
  );
  return (
    <>
      <dl className="facts small">
        <dt>Model</dt>
        <dd className="mono">{ask.model}</dd>
        <dt>What for</dt>
        <dd>{purposeName(ask)}</dd>
        <dt>Strategy</dt>
        <dd>
          {strategy}
          {ask.strategy_why && <p className="muted">{ask.strategy_why}</p>}
        </dd>
        <dt>Size</dt>
        <dd data-testid="sent-size">
          About {ask.tokens.toLocaleString("en")} of at most {ask.budget.toLocaleString("en")} tokens
        </dd>
        {ask.others > 0 && (
          <>
            <dt>Further files</dt>
            <dd>Of {ask.others === 1 ? "1 more file" : `${ask.others.toLocaleString("en")} more files`} only the path was sent.</dd>
          </>
        )}
      </dl>
      {ask.note && <p className="small warn">{ask.note}</p>}
      <div className="segments sent-views" role="group" aria-label="What to show">
        {tab("pieces", "Pieces and why")}
        {tab("words", "Word for word")}
      </div>
      {view === "pieces" ? <Pieces ask={ask} /> : <Words ask={ask} />}
    </>
  );
}

/** What was sent so far; asked anew when the job has made another request. Null while it is on its way. */
function useSent(job: string, requests: number): SentAsk[] | string | null {
  const session = useSession();
  const [found, setFound] = useState<SentAsk[] | string | null>(null);
  useEffect(() => {
    let current = true;
    void session.sent(job).then((answer) => {
      if (current) setFound(answer);
    });
    return () => {
      current = false;
    };
  }, [session, job, requests]);
  return found;
}

export default function SentPanel({ id }: { id: string }) {
  const session = useSession();
  const job = useRoom((state) => state.ai.jobs.find((one) => one.job === id));
  const asks = useSent(id, (job?.attempts.length ?? 0) + (job ? Number(job.state === "complete") : 0));
  const [chosen, setChosen] = useState<number | null>(null);
  const panel = useRef<HTMLDivElement>(null);
  useEffect(() => panel.current?.focus(), [id]);
  const close = (): void => session.showSent(null);
  const list = Array.isArray(asks) ? asks : [];
  const index = Math.min(chosen ?? list.length - 1, list.length - 1);
  const ask = list[index];
  return (
    <div
      ref={panel}
      className="center sent"
      data-testid="sent"
      data-job={id}
      tabIndex={-1}
      role="region"
      aria-label="What was sent to the model"
      onKeyDown={(event) => {
        if (event.key === "Escape") close();
      }}
    >
      <header className="center-head">
        <h2 className="ellipsis" title={job?.prompt}>
          What was sent{job && `: ${job.prompt}`}
        </h2>
        <span className="grow" />
        <button type="button" className="icon-button" data-testid="sent-close" title="Back to the text (Escape)" aria-label="Back to the text" onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <div className="center-body sent-body">
        {asks === null && <p className="muted small">Loading…</p>}
        {typeof asks === "string" && <p className="small error">{asks}</p>}
        {Array.isArray(asks) && !ask && <p className="muted small">Nothing was sent to a model yet.</p>}
        {list.length > 1 && (
          <label className="row small">
            <span className="muted">Request</span>
            <select className="input grow" data-testid="sent-request" value={index} onChange={(event) => setChosen(Number(event.target.value))}>
              {list.map((one, number) => (
                <option key={number} value={number}>
                  {number + 1} of {list.length}: {one.model}, {moment(one.at_ms)}
                </option>
              ))}
            </select>
          </label>
        )}
        {ask && <Ask key={index} ask={ask} />}
      </div>
    </div>
  );
}
