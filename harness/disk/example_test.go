package disk_test

import (
	"fmt"
	"log"

	"github.com/rejoin-db/rejoin/harness/disk"
)

// A crash loses what was written and not synced, and nothing else.
func ExampleDisk_Crash() {
	d := disk.Memory()
	files, err := d.Open()
	if err != nil {
		log.Fatal(err)
	}
	file, err := files.Create("log/1", 0)
	if err != nil {
		log.Fatal(err)
	}
	_, _ = file.WriteAt([]byte("synced"), 0)
	if err := file.Sync(); err != nil {
		log.Fatal(err)
	}
	_, _ = file.WriteAt([]byte("SYNC"), 0)

	d.Crash() // the node that had it open gets disk.ErrLost from now on
	if files, err = d.Open(); err != nil {
		log.Fatal(err)
	}
	if file, err = files.Open("log/1"); err != nil {
		log.Fatal(err)
	}
	content := make([]byte, file.Size())
	_, _ = file.ReadAt(content, 0)
	fmt.Printf("%s\n", content)
	// Output: synced
}
