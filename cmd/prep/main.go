// Command prep turns text into shards and looks into them.
package main

import (
	"github.com/seed-4c77ef92/textwarp/cmd/prep/command"
	"github.com/seed-4c77ef92/textwarp/internal/cli"
)

func main() { cli.Main(command.New()) }
