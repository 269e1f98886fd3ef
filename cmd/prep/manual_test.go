package main

import (
	"testing"

	"github.com/seed-4c77ef92/textwarp/cmd/internal/manual"
	"github.com/seed-4c77ef92/textwarp/cmd/prep/command"
)

func TestManual(t *testing.T) { manual.Check(t, command.New(), "../../docs/man") }
