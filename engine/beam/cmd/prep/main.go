// Command prep is textwarp's prep with --engine beam, and Beam's worker.
package main

import (
	"github.com/seed-4c77ef92/textwarp/cmd/prep/command"
	"github.com/seed-4c77ef92/textwarp/engine/beam"
	"github.com/seed-4c77ef92/textwarp/internal/cli"
)

func main() {
	beam.Init()
	cli.Main(command.New(beam.Engine()))
}
