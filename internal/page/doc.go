// Package page shows runs in a browser: the server behind inspect serve, and the
// report, which is the same page with its answers inside.
//
//	run directories ──inspect.Run──▶ answers (JSON, columns) ──▶ page in the browser
//	      │ polled each second            │
//	      ▼                               ▼
//	 server-sent events               report.html
//
// The server is for the machine that it runs on. Invariants:
//
//   - It listens on a loopback address, answers only requests that name one in
//     Host and come from its own page, and runs no script but its own: a strict
//     Content-Security-Policy stands on every answer.
//   - Nothing outside of the run directories and the directory of shards is read.
//   - Every answer is bounded, and so is the memory that a run takes, however long
//     it is. One text is written at a time.
//   - Tokens and texts leave as JSON strings; the page shows them as text alone.
//
// The paths and answers are described in docs/formats/page.md. The assets in dist
// are built from web, see there.
package page
