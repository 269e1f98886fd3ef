// Command train teaches a text diffusion model from a stream of shards.
package main

import "github.com/seed-4c77ef92/textwarp/internal/cli"

func main() { cli.Main(newCommand()) }
