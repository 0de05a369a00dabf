/** What checks found to be wrong, in words of the server. */
export function Findings({ findings }: { findings: string[] }) {
  if (findings.length === 0) return null;
  return (
    <ul className="findings small" aria-label="Found by checks">
      {findings.map((finding, index) => (
        <li key={index} data-testid="finding">
          {finding}
        </li>
      ))}
    </ul>
  );
}
