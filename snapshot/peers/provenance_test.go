package peers

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/advdb/advdb/snapshot"
	provenance "github.com/in-toto/attestation/go/predicates/provenance/v1"
	intoto "github.com/in-toto/attestation/go/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

// TestProvenance has in-toto's own types read a provenance: every member is
// one of theirs, and their validation holds.
func TestProvenance(t *testing.T) {
	p := newPublisher(t, time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC))
	if _, err := p.publish(snapshot.PublishOptions{Gates: snapshot.Gates{Accept: map[string]bool{"lines": true}}}); err != nil {
		t.Fatal(err)
	}
	h, err := p.pull("replica", snapshot.PullOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, data, err := h.FetchProvenance(t.Context(), p.repo)
	if err != nil {
		t.Fatal(err)
	}
	var e struct {
		PayloadType string `json:"payloadType"`
		Payload     []byte `json:"payload"`
	}
	if err := json.Unmarshal(data, &e); err != nil || e.PayloadType != "application/vnd.in-toto+json" {
		t.Fatal(e.PayloadType, err)
	}
	s := &intoto.Statement{}
	if err := protojson.Unmarshal(e.Payload, s); err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(); err != nil || s.GetPredicateType() != "https://slsa.dev/provenance/v1" {
		t.Error(s.GetPredicateType(), err)
	}
	predicate, err := protojson.Marshal(s.GetPredicate())
	if err != nil {
		t.Fatal(err)
	}
	v := &provenance.Provenance{}
	if err := protojson.Unmarshal(predicate, v); err != nil {
		t.Fatal(err)
	}
	if err := v.Validate(); err != nil {
		t.Error(err)
	}
	deps := v.GetBuildDefinition().GetResolvedDependencies()
	if len(deps) != 1 || deps[0].GetUri() != "https://lines.example/all.json" || len(deps[0].GetDigest()["sha256"]) != 64 {
		t.Errorf("%v", deps)
	}
	if at := v.GetRunDetails().GetMetadata().GetFinishedOn().AsTime(); !at.Equal(p.now) {
		t.Errorf("finished %s, want %s", at, p.now)
	}
}
