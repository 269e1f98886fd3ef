package main

import (
	"testing"

	"github.com/seed-4c77ef92/textwarp/cmd/internal/manual"
)

func TestManual(t *testing.T) { manual.Check(t, newCommand(), "../../docs/man") }
