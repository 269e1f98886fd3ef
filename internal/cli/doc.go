// Package cli is what the four commands share: one place that turns errors into
// a message and an exit code, signals, a progress line, and text that is safe
// on a terminal.
//
//	main ──▶ cli.Main(root) ──▶ cobra ──▶ RunE(ctx) ──▶ error ──▶ "error: ..." on stderr ──▶ exit code
//	              SIGINT, SIGTERM ──▶ ctx cancelled;   a second one leaves at once
//
// Invariants: data go to stdout and everything else to stderr; a command
// returns its error and never exits or prints it; the exit code of an error is
// decided here alone. Only cmd/ imports this package.
package cli
