#!/usr/bin/env python3
# ruff: noqa
# mypy: ignore-errors
# fmt: off
"""fakehub.py ROOT PORT [CAPTURE.jsonl]: tiny Hugging Face Hub protocol server (stdlib only), two listeners on 127.0.0.1:
PORT = hub (API + resolve), PORT+1 = "CDN" the LFS files are redirected to (with Range). ROOT/ORG/NAME/files...; every file
matching *.safetensors|*.bin is LFS (sha256 ETag, 302 to the CDN), the rest is served by 307 to /api/resolve-cache (git sha1 ETag).
GET /_fault?cut=N&p503=PCT: CDN closes after N body bytes; PCT % of hub answers are 503. Env: FAKEHUB_TOKEN=hf_x makes repos named 'private*'/'gated*' need it."""
import sys, os, json, hashlib, re, threading, time, fnmatch, urllib.parse as up
from http.server import ThreadingHTTPServer, BaseHTTPRequestHandler
ROOT, PORT = sys.argv[1], int(sys.argv[2]); CAP = open(sys.argv[3], "a", buffering=1) if len(sys.argv) > 3 else None
HUB, CDN = f"http://127.0.0.1:{PORT}", f"http://127.0.0.1:{PORT+1}"; TOKEN = os.environ.get("FAKEHUB_TOKEN", "hf_test"); FAULT = {"cut": 0, "p503": 0}; CACHE = {}
def fmeta(p):
    st = os.stat(p); k = (p, st.st_mtime_ns, st.st_size)
    if k not in CACHE:
        h1 = hashlib.sha1(b"blob %d\0" % st.st_size); h2 = hashlib.sha256()
        with open(p, "rb") as f:
            while b := f.read(1 << 20): h1.update(b); h2.update(b)
        CACHE[k] = (st.st_size, h1.hexdigest(), h2.hexdigest())
    return CACHE[k]
def is_lfs(n): return n.endswith((".safetensors", ".bin", ".zip", ".tar", ".gz", ".tgz"))
def files(d): return sorted(os.path.relpath(os.path.join(a, f), d) for a, _, fs in os.walk(d) for f in fs)
def commit(d): return hashlib.sha1(json.dumps([(f, fmeta(os.path.join(d, f))[1]) for f in files(d)]).encode()).hexdigest()
def ent(d, f):
    n, s1, s2 = fmeta(os.path.join(d, f)); e = {"type": "file", "oid": s1, "size": n, "path": f}
    if is_lfs(f): e["oid"] = hashlib.sha1(s2.encode()).hexdigest(); e["lfs"] = {"oid": s2, "size": n, "pointerSize": 134}
    return e
class H(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"; server_version = "fakehub"; disable_nagle_algorithm = True
    def log_message(self, *a): pass
    def send(self, code, body=b"", hd=None, ctype="application/json", path=None, rng=None):
        hd = dict(hd or {}); n = len(body) if path is None else (rng[1] - rng[0])
        self.send_response(code); self.send_header("Content-Length", hd.pop("Content-Length", str(n)))
        if ctype: self.send_header("Content-Type", ctype)
        for k, v in hd.items(): self.send_header(k, v)
        self.end_headers()
        if CAP: CAP.write(json.dumps({"t": round(time.time(), 3), "server": "cdn" if self.server.server_port != PORT else "hub", "method": self.command, "path": self.path, "req": {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection", "accept")}, "status": code, "resp": {**hd, "Content-Length": n}, **({"body": body.decode()[:1500]} if body and path is None else {})}) + "\n")
        if self.command == "HEAD": return
        if path is None: self.wfile.write(body); return
        with open(path, "rb") as f:
            off, end = rng
            if FAULT["cut"] and end - off > FAULT["cut"]: end = off + FAULT["cut"]; self.close_connection = True
            self.wfile.flush()
            while off < end: off += os.sendfile(self.connection.fileno(), f.fileno(), off, min(end - off, 1 << 22))
    def err(self, code, ec, msg, **hd): self.send(code, json.dumps({"error": msg}).encode(), {"X-Error-Code": ec, "X-Error-Message": msg, **hd})
    def file(self, p, etag, extra):
        n = os.path.getsize(p); r = self.headers.get("Range"); hd = {"ETag": f'"{etag}"', "Accept-Ranges": "bytes", "Last-Modified": self.date_time_string(os.path.getmtime(p)), **extra}
        if self.headers.get("If-None-Match") == f'"{etag}"': return self.send(304, hd=hd)
        if self.headers.get("If-Match") not in (None, "*", f'"{etag}"'): return self.send(412)
        if r and self.headers.get("If-Range") in (None, f'"{etag}"') and (m := re.fullmatch(r"bytes=(\d*)-(\d*)", r)):
            a, b = m.groups(); s = int(a) if a else max(0, n - int(b)); e = min(n, int(b) + 1) if a and b else n
            if s >= n: return self.send(416, hd={"Content-Range": f"bytes */{n}"})
            return self.send(206, hd={**hd, "Content-Range": f"bytes {s}-{e-1}/{n}"}, ctype="application/octet-stream", path=p, rng=(s, e))
        self.send(200, hd=hd, ctype="application/octet-stream", path=p, rng=(0, n))
    def do_GET(self):
        u = up.urlsplit(self.path); P = up.unquote(u.path); q = dict(up.parse_qsl(u.query))
        if self.server.server_port != PORT:                       # CDN: no token must ever arrive here
            if self.headers.get("Authorization"): return self.send(400, b"token leaked to CDN")
            p = os.path.normpath(ROOT + "/" + P.split("/", 2)[2]) if P.startswith("/repos/") else ""
            if not p.startswith(ROOT) or not os.path.isfile(p): return self.send(403, b"<Error><Code>AccessDenied</Code></Error>", ctype="application/xml")
            return self.file(p, fmeta(p)[2], {})
        if P == "/_fault": FAULT.update({k: int(v) for k, v in q.items()}); return self.send(200, json.dumps(FAULT).encode())
        if FAULT["p503"] and __import__("random").random() * 100 < FAULT["p503"]: return self.send(503, b"overloaded", {"Retry-After": "1"})
        if P == "/api/whoami-v2": return self.send(200, b'{"type":"user","name":"test"}') if self.headers.get("Authorization") else self.err(401, "", "Invalid credentials")
        m = re.fullmatch(r"/api/(models|datasets|spaces)/([^/]+/[^/]+)(?:/(revision|tree|refs|paths-info)(?:/([^/]+))?(?:/(.+))?)?/?", P)
        r = None if m else re.fullmatch(r"(?:/(datasets|spaces))?/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", P) or re.fullmatch(r"/api/resolve-cache/(models|datasets|spaces)/([^/]+/[^/]+)/([^/]+)/(.+)", P)
        if not (m or r): return self.send(404, b'{"error":"Not Found"}')
        repo = (m or r).group(2); d = os.path.join(ROOT, repo); auth = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if not os.path.isdir(d) or (repo.split("/")[1].startswith("private") and not auth): return self.err(404 if auth else 401, "RepoNotFound", "Repository not found")
        if r and repo.split("/")[1].startswith("gated") and not auth: return self.err(401, "GatedRepo", f"Access to model {repo} is restricted.")
        sha = commit(d); rev = (m.group(4) if m else r.group(3)) or "main"; ok = rev in ("main", sha) or (len(rev) >= 7 and sha.startswith(rev))
        if not ok: return self.err(404, "RevisionNotFound", f"Invalid rev id: {rev}")
        if r:
            f = r.group(4); p = os.path.normpath(os.path.join(d, f))
            if not p.startswith(d + "/") or not os.path.isfile(p): return self.err(404, "EntryNotFound", "Entry not found", **{"X-Repo-Commit": sha})
            n, s1, s2 = fmeta(p)
            if P.startswith("/api/resolve-cache/"): return self.file(p, s1, {"X-Repo-Commit": sha})
            if is_lfs(f): return self.send(302, hd={"Location": f"{CDN}/repos/{repo}/{up.quote(f)}?Expires={int(time.time())+3600}&Signature=x", "X-Repo-Commit": sha, "X-Linked-Size": str(n), "X-Linked-Etag": f'"{s2}"', "Accept-Ranges": "bytes"}, ctype="text/plain")
            return self.send(307, hd={"Location": f"/api/resolve-cache/models/{repo}/{sha}/{up.quote(f)}", "X-Repo-Commit": sha, "X-Linked-Size": str(n), "X-Linked-Etag": f'"{s1}"', "Accept-Ranges": "bytes"}, ctype="text/plain")
        kind, sub = m.group(3), m.group(5) or ""
        if kind == "refs": return self.send(200, json.dumps({"branches": [{"name": "main", "ref": "refs/heads/main", "targetCommit": sha}], "tags": [], "converts": []}).encode())
        if kind == "tree":
            fs = [f for f in files(d) if not sub or f.startswith(sub.rstrip("/") + "/")]
            if sub and not fs: return self.err(404, "EntryNotFound", f"{sub} does not exist on {rev}", **{"X-Repo-Commit": sha})
            base = sub.rstrip("/") + "/" if sub else ""; out = []; seen = set(); rec = q.get("recursive", "").lower() in ("true", "1")
            for f in fs:
                parts = f[len(base):].split("/")
                for i in range(1, len(parts) if rec else min(len(parts), 2)):
                    dd = base + "/".join(parts[:i])
                    if dd not in seen: seen.add(dd); out.append({"type": "directory", "oid": hashlib.sha1(dd.encode()).hexdigest(), "size": 0, "path": dd})
                if rec or len(parts) == 1: out.append(ent(d, f))
            lim = int(q.get("limit", os.environ.get("FAKEHUB_PAGE", 1000))); c = int(q.get("cursor", 0)); hd = {"X-Repo-Commit": sha}
            if c + lim < len(out): hd["Link"] = f'<{HUB}{u.path}?{up.urlencode({**q, "cursor": c + lim})}>; rel="next"'
            return self.send(200, json.dumps(out[c:c + lim]).encode(), hd)
        if kind == "paths-info":
            b = self.rfile.read(int(self.headers.get("Content-Length") or 0)); ct = self.headers.get("Content-Type", "")
            ps = json.loads(b)["paths"] if "json" in ct else up.parse_qs(b.decode()).get("paths", [])
            return self.send(200, json.dumps([ent(d, f) for f in files(d) if f in ps]).encode(), {"X-Repo-Commit": sha})
        sib = [{"rfilename": f} for f in files(d)]
        if q.get("blobs"): 
            for s in sib: e = ent(d, s["rfilename"]); s.update(size=e["size"], blobId=e["oid"]); e.get("lfs") and s.update(lfs={"sha256": e["lfs"]["oid"], "size": e["size"], "pointerSize": 134})
        self.send(200, json.dumps({"_id": sha[:24], "id": repo, "modelId": repo, "author": repo.split("/")[0], "sha": sha, "lastModified": "2026-01-01T00:00:00.000Z", "createdAt": "2026-01-01T00:00:00.000Z", "private": repo.split("/")[1].startswith("private"), "gated": False, "disabled": False, "tags": [], "downloads": 0, "likes": 0, "usedStorage": 0, "siblings": sib}).encode())
    do_HEAD = do_POST = do_GET
class S(ThreadingHTTPServer): daemon_threads = True; request_queue_size = 128
for p in (PORT, PORT + 1): threading.Thread(target=S(("127.0.0.1", p), H).serve_forever, daemon=True).start()
print("fakehub", HUB, "cdn", CDN, flush=True); threading.Event().wait()
