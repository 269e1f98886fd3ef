//go:build linux

// Command emulate is the only process of an emulated machine: it runs the tests
// of package kernels and switches the machine off. See the script run beside it.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

func main() {
	test := exec.Command("/kernels.test", "-test.v", "-test.timeout", "2h")
	test.Stdin, test.Stdout, test.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := test.Run(); err != nil {
		fmt.Println("emulated tests failed:", err)
	} else {
		fmt.Println("emulated tests passed")
	}
	time.Sleep(5 * time.Second) // the serial line is slow
	syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
}
