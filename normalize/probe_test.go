package normalize
import ("testing";"os";"path/filepath";"time")
func TestProbe(t *testing.T){
 root:="/work/shared/upstream/day1/"
 run:=func(p Parser, name, file string){
  f,err:=os.Open(root+file); if err!=nil {t.Fatal(err)}
  st,_:=f.Stat()
  n,aff:=0,0; rules:=map[string]int{}; ex:=map[string]Finding{}
  t0:=time.Now()
  err=p(Doc{Name:name,Body:f,Report:func(f Finding){rules[f.Rule]++;ex[f.Rule]=f}},func(r *Record)error{n++;aff+=len(r.Affected); if n<=1 {b,e:=AppendEncode(nil,r);t.Logf("%s %v",b,e)}; return nil})
  t.Log(name,n,aff,err,rules,ex,float64(st.Size())/1e6/time.Since(t0).Seconds(),"MB/s")
 }
 run(Debian,"tracker.json","security-tracker.debian.org/tracker/data/json")
 run(Debian,"DSA/list","salsa.debian.org/security-tracker-team/security-tracker/-/raw/master/data/DSA/list")
 run(Debian,"DLA/list","salsa.debian.org/security-tracker-team/security-tracker/-/raw/master/data/DLA/list")
 run(SecDB("Wolfi"),"security.json","packages.wolfi.dev/os/security.json")
 m,_:=filepath.Glob(root+"secdb.alpinelinux.org/*/*.json")
 for _,x:=range m { run(SecDB("Alpine"), "x/main.json", x[len(root):]) }
 run(SecDB("Alpine"), "x/main.json", "../../corpus/alpine/schema-break-2023-04-07/edge/main.json")
}
