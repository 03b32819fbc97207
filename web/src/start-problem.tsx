/** Shown when not even the configuration could be read, so before the theme exists. */
export function StartProblem() {
  return (
    <main className="op-start-problem">
      <h1>OctoPush can’t start right now</h1>
      <p>We couldn’t reach our server. Check your connection and try again.</p>
      <button type="button" onClick={() => window.location.reload()}>
        Try again
      </button>
    </main>
  );
}
