package main

import (
	"errors"
	"io"

	"github.com/advdb/advdb/snapshot"
)

// targetHelp ends the help of commands that name a repository.
const targetHelp = `
A repository is a folder, or one of
  https://HOST/PATH, http://…       any web server; read-only
  s3://BUCKET/PREFIX                S3-compatible storage, by AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL (default:
                                    Amazon's), AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
  oci://REGISTRY/NAME[:TAG]         OCI registry (tag: latest), with the credentials of "docker login"
                                    (DOCKER_CONFIG, REGISTRY_AUTH_FILE); plain HTTP for localhost only
`

// carriers opens repositories by the environment of the command.
func (a *app) carriers() snapshot.Carriers { return snapshot.Carriers{Getenv: a.getenv} }

// openRepository opens a repository to publish to. A target that can only be
// read is wrong usage.
func (a *app) openRepository(target string) (repo snapshot.Repository, closeRepo func() error, err error) {
	repo, err = a.carriers().OpenRepository(target)
	if errors.Is(err, snapshot.ErrTarget) {
		err = usageError{err}
	}
	closeRepo = func() error { return nil }
	if c, ok := repo.(io.Closer); ok && err == nil {
		closeRepo = c.Close
	}
	return repo, closeRepo, err
}

// openReader opens a repository for reading.
func (a *app) openReader(target string) (snapshot.Reader, error) {
	r, err := a.carriers().OpenReader(target)
	if errors.Is(err, snapshot.ErrTarget) {
		err = usageError{err}
	}
	return r, err
}
