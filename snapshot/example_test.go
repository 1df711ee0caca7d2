package snapshot_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/advdb/advdb/snapshot"
	"github.com/advdb/advdb/store"
)

// A scanner keeps its copy up to date and opens it.
func Example() {
	root, err := os.ReadFile("root.json") // what the publisher gave out
	if err != nil {
		log.Fatal(err)
	}
	mirror, err := snapshot.OpenReader("https://advdb.example.org")
	if err != nil {
		log.Fatal(err)
	}
	got, err := snapshot.Pull(context.Background(), snapshot.PullOptions{Dir: "advdb", Root: root, Mirrors: []snapshot.Reader{mirror}})
	if err != nil {
		log.Fatal(err) // the copy is what it was before
	}
	db, err := store.OpenDB("advdb")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	fmt.Println("release", got.Version, "with", db.Meta().Records, "records")
}
