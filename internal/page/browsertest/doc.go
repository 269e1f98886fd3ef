// Package browsertest clicks through the page of inspect serve and the report of
// inspect report in headless Chromium: on a run with a history, on one that is
// being written, and on one whose 50,000 tokens mean harm. What takes a run long or
// breaks it is told to the page by the tests themselves.
//
// It is a module of its own, so that nobody who builds textwarp needs what drives
// a browser. `make test-page` runs it. It builds the commands, makes its own
// shards and runs with them, and fails where there is no Chromium.
//
// TEXTWARP_SHOTS=DIR writes pictures of every panel into DIR; those of TestPictures
// are of the run in TEXTWARP_RUN and the shards in TEXTWARP_STREAM, where they are
// named.
package browsertest
