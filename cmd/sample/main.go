// Command sample writes text with a trained model.
package main

import "github.com/seed-4c77ef92/textwarp/internal/cli"

func main() { cli.Main(newCommand()) }
