// Command inspect shows what a run has learned: its time warp, its embeddings
// and its curves.
package main

import "github.com/seed-4c77ef92/textwarp/internal/cli"

func main() { cli.Main(newCommand()) }
