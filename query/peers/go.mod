module github.com/advdb/advdb/query/peers

go 1.26.5

replace github.com/advdb/advdb => ../..

require (
	github.com/advdb/advdb v0.0.0-00010101000000-000000000000
	go.etcd.io/bbolt v1.5.0
)

require (
	github.com/go-json-experiment/json v1.27.2 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/knqyf263/go-version v1.1.1 // indirect
	github.com/package-url/packageurl-go v0.1.7 // indirect
	go.yaml.in/yaml/v4 v4.0.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)
