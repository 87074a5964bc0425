// Reads a log that Bluelamp wrote, writes one for Bluelamp to read, and prints proofs to compare, with the packages note
// and tlog of golang.org/x/mod/sumdb: what Go's own checksum database is made of.
//
//	reader log FOLDER VKEY [WITNESS-VKEY]   verify the checkpoint, every tile, bundle and many proofs of a log on disk
//	reader write FOLDER SKEY SIZE           write a log of SIZE entries, signed
//	reader proofs SIZE...                   a line a size: size, root, digest of all inclusion and of all consistency proofs
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8
const width = 1 << height

func main() {
	if len(os.Args) < 3 {
		fail("usage: reader log|write|proofs ...")
	}
	switch os.Args[1] {
	case "log":
		readLog(os.Args[2], os.Args[3:])
	case "write":
		writeLog(os.Args[2], os.Args[3], number(os.Args[4]))
	case "proofs":
		for _, size := range os.Args[2:] {
			printProofs(number(size))
		}
	default:
		fail("usage: reader log|write|proofs ...")
	}
}

// A record of the logs and proofs here: its number in decimal.
func record(n int64) []byte { return []byte(strconv.FormatInt(n, 10)) }

// ---- reading

// folder reads tiles as C2SP tlog-tiles names them: as Go does, but without the height.
type folder string

func (f folder) Height() int                                { return height }
func (f folder) SaveTiles(tiles []tlog.Tile, data [][]byte) {}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, t := range tiles {
		data, err := os.ReadFile(filepath.Join(string(f), path(t)))
		if err != nil {
			return nil, err
		}
		if len(data) != t.W*tlog.HashSize {
			return nil, fmt.Errorf("%s has %d bytes", path(t), len(data))
		}
		found = append(found, data)
	}
	return found, nil
}

func path(t tlog.Tile) string {
	own := strings.SplitN(t.Path(), "/", 4) // tile/8/LEVEL/NUMBER
	level := own[2]
	if level == "data" {
		level = "entries"
	}
	return "tile/" + level + "/" + own[3]
}

// cosigner verifies Ed25519 cosignatures (C2SP tlog-cosignature), which note leaves to its users.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.hash }
func (c cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(sig), msg)
	return ed25519.Verify(c.key, []byte(signed), sig[8:])
}

func newCosigner(vkey string) cosigner {
	parts := strings.SplitN(vkey, "+", 3)
	raw, err := base64.StdEncoding.DecodeString(parts[2])
	check(err)
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), raw...))
	if raw[0] != 4 || hex.EncodeToString(sum[:4]) != parts[1] {
		fail("not the key of a witness")
	}
	return cosigner{parts[0], binary.BigEndian.Uint32(sum[:]), raw[1:]}
}

func readLog(where string, keys []string) {
	log, err := note.NewVerifier(keys[0])
	check(err)
	verifiers := []note.Verifier{log}
	for _, vkey := range keys[1:] {
		verifiers = append(verifiers, newCosigner(vkey))
	}
	signed, err := os.ReadFile(filepath.Join(where, "checkpoint"))
	check(err)
	opened, err := note.Open(signed, note.VerifierList(verifiers...))
	check(err)
	if len(opened.Sigs) != len(verifiers) {
		fail("%d of %d signatures", len(opened.Sigs), len(verifiers))
	}
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := tlog.ParseHash(lines[2])
	check(err)
	if lines[0] != log.Name() {
		fail("the origin is %q", lines[0])
	}

	// The reader verifies each tile that it fetches against the root.
	reader := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, folder(where))
	computed, err := tlog.TreeHash(size, reader)
	check(err)
	if computed != root {
		fail("the tiles give another root")
	}
	entries := readBundles(where, size)
	for first := 0; first < len(entries); first += width {
		var indexes []int64
		for n := first; n < first+width && n < len(entries); n++ {
			indexes = append(indexes, tlog.StoredHashIndex(0, int64(n)))
		}
		hashes, err := reader.ReadHashes(indexes)
		check(err)
		for n, hash := range hashes {
			if hash != tlog.RecordHash(entries[first+n]) {
				fail("entry %d does not hash to its leaf", first+n)
			}
		}
	}
	included, consistent := 0, 0
	for _, n := range some(size) {
		proof, err := tlog.ProveRecord(size, n, reader)
		check(err)
		check(tlog.CheckRecord(proof, size, root, n, tlog.RecordHash(entries[n])))
		included++

		old, err := tlog.TreeHash(n+1, reader)
		check(err)
		tree, err := tlog.ProveTree(size, n+1, reader)
		check(err)
		check(tlog.CheckTree(tree, size, root, n+1, old))
		consistent++
	}
	fmt.Printf("%s %d %d %d %d %d\n", lines[0], size, len(opened.Sigs), len(entries), included, consistent)
}

func readBundles(where string, size int64) [][]byte {
	var entries [][]byte
	for first := int64(0); first < size; first += width {
		w := size - first
		if w > width {
			w = width
		}
		data, err := os.ReadFile(filepath.Join(where, path(tlog.Tile{H: height, L: -1, N: first / width, W: int(w)})))
		check(err)
		for len(data) > 0 {
			end := 2 + int(binary.BigEndian.Uint16(data))
			entries = append(entries, data[2:end])
			data = data[end:]
		}
		if int64(len(entries)) != first+w {
			fail("the bundle at %d holds %d entries", first, int64(len(entries))-first)
		}
	}
	return entries
}

// some picks leaves: both ends, both sides of each tile's border, and a spread between.
func some(size int64) []int64 {
	picked := map[int64]bool{}
	for _, n := range []int64{0, 1, size / 3, size / 2, size - 2, size - 1} {
		picked[n] = true
	}
	for border := int64(1); border < size; border *= 2 {
		picked[border-1], picked[border], picked[size-border] = true, true, true
	}
	var found []int64
	for n := range picked {
		if 0 <= n && n < size {
			found = append(found, n)
		}
	}
	return found
}

// ---- writing

// stored holds every hash of a tree in tlog's order.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var found []tlog.Hash
	for _, index := range indexes {
		found = append(found, s[index])
	}
	return found, nil
}

func grow(size int64) stored {
	var hashes stored
	for n := int64(0); n < size; n++ {
		added, err := tlog.StoredHashes(n, record(n), hashes)
		check(err)
		hashes = append(hashes, added...)
	}
	return hashes
}

func writeLog(where, skey string, size int64) {
	signer, err := note.NewSigner(skey)
	check(err)
	hashes := grow(size)
	root, err := tlog.TreeHash(size, hashes)
	check(err)
	for _, t := range tlog.NewTiles(height, 0, size) {
		if t.W < width && t.N*width+int64(t.W) != size>>(height*uint(t.L)) {
			continue // a partial tile of a smaller tree
		}
		data, err := tlog.ReadTileData(t, hashes)
		check(err)
		write(filepath.Join(where, path(t)), data)
		if t.L == 0 {
			var bundle bytes.Buffer
			for n := t.N * width; n < t.N*width+int64(t.W); n++ {
				check(binary.Write(&bundle, binary.BigEndian, uint16(len(record(n)))))
				bundle.Write(record(n))
			}
			t.L = -1
			write(filepath.Join(where, path(t)), bundle.Bytes())
		}
	}
	text := fmt.Sprintf("%s\n%d\n%s\n", signer.Name(), size, root)
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	check(err)
	write(filepath.Join(where, "checkpoint"), signed)
}

func write(name string, data []byte) {
	check(os.MkdirAll(filepath.Dir(name), 0o755))
	check(os.WriteFile(name, data, 0o644))
}

// ---- proofs

func printProofs(size int64) {
	hashes := grow(size)
	root, err := tlog.TreeHash(size, hashes)
	check(err)
	included, consistent := sha256.New(), sha256.New()
	for n := int64(0); n < size; n++ {
		record, err := tlog.ProveRecord(size, n, hashes)
		check(err)
		tree, err := tlog.ProveTree(size, n+1, hashes)
		check(err)
		for _, h := range record {
			included.Write(h[:])
		}
		for _, h := range tree {
			consistent.Write(h[:])
		}
		fmt.Fprintf(included, "%d", len(record))
		fmt.Fprintf(consistent, "%d", len(tree))
	}
	fmt.Printf("%d %x %x %x\n", size, root[:], included.Sum(nil), consistent.Sum(nil))
}

// ---- helpers

func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	check(err)
	return n
}

func check(err error) {
	if err != nil {
		fail("%v", err)
	}
}

func fail(format string, args ...interface{}) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}
