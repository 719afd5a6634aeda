/** The plain page at `/` until there is a dashboard: where things are, and no more. */

export const LANDING_PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>keywise</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}code{background:#8882;padding:.1em .3em}</style>
<h1>keywise is running</h1>
<p>Programs talk to <code>/v1</code> (OpenAI and Anthropic) and <code>/v1beta</code> (Gemini) with the token that the first start printed; it is kept in the file named there.</p>
<p>To see how the keys are doing: <code>keywise status</code>, <code>keywise why</code>, or <code>GET /api/status</code> with the admin token.</p>
</html>
`
