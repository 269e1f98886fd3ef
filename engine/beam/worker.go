package beam

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/apache/beam/sdks/v2/go/container/tools"
	sdk "github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/util/grpcx"
)

// Init must be called before anything else that the program does. In a process
// that a runner started as a worker it does not return: workers are this same
// program, called in one of two ways.
//
//	--worker --id=.. --control_endpoint=.. ..  by Beam's container
//	--id=.. --provision_endpoint=..            by a runner, with --environment_type=PROCESS
func Init() {
	log.SetLogger(&log.Standard{Level: log.SevWarn})
	args := os.Args[1:]
	if called(args, "worker") || called(args, "provision_endpoint") {
		if err := setWorkerFlags(args); err != nil {
			fmt.Fprintf(os.Stderr, "error: start a Beam worker: %v\n", err)
			os.Exit(2)
		}
	}
	sdk.Init()
	// The program that is staged for containers is this one.
	if self, err := os.Executable(); err == nil && *jobopts.WorkerBinary == "" {
		*jobopts.WorkerBinary = self
	}
}

// called says whether a flag is among arguments that begin with flags.
func called(args []string, name string) bool {
	for _, arg := range args {
		if !strings.HasPrefix(arg, "-") {
			return false
		}
		if flag, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "="); flag == name {
			return true
		}
	}
	return false
}

// setWorkerFlags parses the command line of a worker. A runner that starts it
// says only where to ask for the rest.
func setWorkerFlags(args []string) error {
	flags := flag.CommandLine
	provision := flags.String("provision_endpoint", "", "where a runner tells its worker the other endpoints")
	if err := flags.Parse(args); err != nil || *provision == "" {
		return err
	}
	ctx := grpcx.WriteWorkerID(context.Background(), flags.Lookup("id").Value.String())
	info, err := tools.ProvisionInfo(ctx, *provision)
	if err != nil {
		return err
	}
	os.Setenv("STATUS_ENDPOINT", info.GetStatusEndpoint().GetUrl())
	os.Setenv("RUNNER_CAPABILITIES", strings.Join(info.GetRunnerCapabilities(), " "))
	for name, value := range map[string]string{
		"worker":           "true",
		"logging_endpoint": info.GetLoggingEndpoint().GetUrl(),
		"control_endpoint": info.GetControlEndpoint().GetUrl(),
	} {
		if err := flags.Set(name, value); err != nil {
			return err
		}
	}
	return nil
}
