// Command eval judges a trained run.
package main

import "github.com/seed-4c77ef92/textwarp/internal/cli"

func main() { cli.Main(newCommand()) }
