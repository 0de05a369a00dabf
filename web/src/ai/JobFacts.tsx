/** All that is known of a job: why it was done so, what it took, and how its requests to models went. */
import type { Attempt, Failure, Job } from "../messages";
import type { ReactNode } from "react";
import { LAST_STEERS } from "./line";
import { allTokens, attemptOutcome, duration, moment, money, strategyName } from "./words";

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Why({ what, why }: { what: ReactNode; why: string }) {
  return (
    <>
      {what}
      {why && <p className="muted">{why}</p>}
    </>
  );
}

function AttemptRow({ attempt }: { attempt: Attempt }) {
  return (
    <li data-testid="attempt" data-outcome={attempt.outcome}>
      <p>
        <span className="mono">{attempt.model}</span> <span className={`badge ${attempt.outcome}`}>{attemptOutcome(attempt)}</span>
      </p>
      <p className="muted">
        {[
          attempt.at_ms > 0 ? moment(attempt.at_ms) : null,
          attempt.seconds < 1 ? `took ${attempt.seconds.toFixed(1)} s` : `took ${duration(attempt.seconds)}`,
          allTokens(attempt.prompt_tokens, attempt.answer_tokens),
          attempt.cost === null ? null : money(attempt.cost),
        ]
          .filter(Boolean)
          .join(" · ")}
      </p>
      {attempt.error && <p className="error">{attempt.error}</p>}
    </li>
  );
}

function Kind({ code, severity }: { code: string; severity: Job["severity"] }) {
  return (
    <>
      <span className="mono">{code}</span> {severity && <span className={`badge severity ${severity}`}>{severity}</span>}
    </>
  );
}

function FailureRow({ failure }: { failure: Failure }) {
  const facts = [
    moment(failure.at_ms),
    failure.person && `asked by ${failure.person}`,
    failure.model,
    failure.attempts > 0 ? (failure.attempts === 1 ? "1 request" : `${failure.attempts} requests`) : null,
    failure.context_tokens > 0 ? `${failure.context_tokens.toLocaleString("en")} tokens of context` : null,
    failure.request && `request ${failure.request}`,
  ];
  return (
    <li data-testid="failure" data-code={failure.code}>
      <p>
        <Kind code={failure.code} severity={failure.severity} />
      </p>
      <p className="muted">{facts.filter(Boolean).join(" · ")}</p>
      <p className="error">{failure.message}</p>
    </li>
  );
}

export function JobFacts({ job }: { job: Job }) {
  const strategy = strategyName(job);
  const tokens = job.prompt_tokens + job.tokens > 0;
  return (
    <dl className="facts small" data-testid="job-facts">
      {job.model && (
        <Fact name="Model">
          <Why what={<span className="mono">{job.offline ? "offline templates, no AI" : job.model}</span>} why={job.model_why} />
        </Fact>
      )}
      {strategy && (
        <Fact name="Strategy">
          <Why what={strategy} why={job.strategy_why} />
        </Fact>
      )}
      {tokens && <Fact name="Tokens">{allTokens(job.prompt_tokens, job.tokens)}</Fact>}
      {(tokens || job.cost !== null) && !job.offline && (
        <Fact name="Cost">{job.cost === null ? "No price of this model is known" : money(job.cost)}</Fact>
      )}
      <Fact name="Priority">{job.priority}</Fact>
      {job.steers.length > LAST_STEERS && (
        <Fact name="Said while it ran">
          <ol>
            {job.steers.map((steer, index) => (
              <li key={index} className="said">
                {steer}
              </li>
            ))}
          </ol>
        </Fact>
      )}
      {job.attempts.length > 0 && (
        <Fact name={job.attempts.length === 1 ? "Request" : `${job.attempts.length} requests`}>
          <ol className="attempts">
            {job.attempts.map((attempt, index) => (
              <AttemptRow key={index} attempt={attempt} />
            ))}
          </ol>
        </Fact>
      )}
      {job.failures.length > 0 ? (
        <Fact name={job.failures.length === 1 ? "Failure" : `${job.failures.length} failures`}>
          <ol className="attempts">
            {job.failures.map((failure, index) => (
              <FailureRow key={index} failure={failure} />
            ))}
          </ol>
        </Fact>
      ) : (
        job.error_code && (
          <Fact name="Failure">
            <Kind code={job.error_code} severity={job.severity} />
          </Fact>
        )
      )}
      {job.request_id && (
        <Fact name="Request id">
          <span className="mono">{job.request_id}</span>
        </Fact>
      )}
      <Fact name="Job id">
        <span className="mono">{job.job}</span>
      </Fact>
    </dl>
  );
}
