package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Main runs a command with the arguments of the process and exits. The first
// SIGINT or SIGTERM cancels the context of the command, which returns
// ctx.Err(), wrapped or not, once its work is safe; the second leaves at once.
func Main(root *cobra.Command) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		first := (<-signals).(syscall.Signal)
		cancel(signalError{first})
		second := (<-signals).(syscall.Signal)
		os.Exit(128 + int(second))
	}()
	os.Exit(run(ctx, root, os.Stderr))
}

// run executes root and reports its error on stderr.
func run(ctx context.Context, root *cobra.Command, stderr io.Writer) int {
	root.SilenceErrors, root.SilenceUsage = true, true
	root.Version = Version()
	root.SetErr(stderr)
	started := false
	prepare(root, &started)

	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return ExitOK
	}
	exit := code(err, context.Cause(ctx))
	if !started && exit == ExitFailure {
		err = usage(command, err)
		exit = ExitUsage
	}
	report(stderr, err, context.Cause(ctx))
	return exit
}

// prepare makes every command of the tree note that it has started: what fails
// before that failed in cobra's reading of the command line. A group that is
// given something other than one of its commands says so, which cobra does
// for the root alone.
func prepare(c *cobra.Command, started *bool) {
	if c.HasParent() && !c.Runnable() {
		c.Args = cobra.ArbitraryArgs
		c.RunE = func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				*started = false
				return fmt.Errorf("unknown command %q for %q", args[0], c.CommandPath())
			}
			return c.Help()
		}
	}
	switch inner, innerRun := c.RunE, c.Run; {
	case inner != nil:
		c.RunE = func(c *cobra.Command, args []string) error {
			*started = true
			return inner(c, args)
		}
	case innerRun != nil:
		c.Run = func(c *cobra.Command, args []string) {
			*started = true
			innerRun(c, args)
		}
	}
	for _, child := range c.Commands() {
		prepare(child, started)
	}
}

// usage turns cobra's complaint, which may go on for lines with the commands
// that were perhaps meant, into one line and a hint.
func usage(c *cobra.Command, err error) error {
	lines := strings.Split(err.Error(), "\n")
	hint := fmt.Sprintf("run '%s --help'", c.CommandPath())
	for _, line := range lines[1:] {
		if name, ok := strings.CutPrefix(line, "\t"); ok {
			hint = fmt.Sprintf("did you mean '%s %s'? ", c.CommandPath(), name) + hint
			break
		}
	}
	var hinted *hintError
	if errors.As(err, &hinted) {
		hint = hinted.hint
	}
	return Hint(errors.New(lines[0]), hint)
}

// report prints what went wrong and what to do about it. A stop that was asked
// for is not called an error.
func report(w io.Writer, err error, cancelled error) {
	var stopped signalError
	if errors.Is(err, context.Canceled) && errors.As(cancelled, &stopped) {
		fmt.Fprintln(w, stopped.Error())
	} else {
		lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
		fmt.Fprintln(w, "error: "+Printable(lines[0]))
		for _, line := range lines[1:] {
			fmt.Fprintln(w, "  "+Printable(line))
		}
	}
	var hinted *hintError
	if errors.As(err, &hinted) {
		fmt.Fprintln(w, "  hint: "+Printable(hinted.hint))
	}
}
