// A site made of a section's login.mjs: `node openid_client_site.mjs FOLDER PORT`. It prints a line when it listens.
// `/` says who is logged in, as JSON, and has a form that logs in or out; `/refresh` has the library refresh its tokens.
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const [folder, port] = process.argv.slice(2);
const library = await import(pathToFileURL(`${folder}/login.mjs`));
const sessions = new Map();

const pages = {
  "/": (session) => {
    const { sub, email, given_name, family_name } = session.reader ?? {};
    const known = session.reader ? { sub, email, given_name, family_name } : null;
    return `<pre>${JSON.stringify(known)}</pre><form method="get" action="${known ? "/logout" : "/login"}"></form>`;
  },
  "/login": async (session) => library.logIn(session),
  "/callback": async (session, url) => {
    await library.callback(session, url);
    return new URL("/", url);
  },
  "/refresh": async (session) => {
    const before = session.tokens.access_token;
    await library.refresh(session);
    return JSON.stringify({ before, after: session.tokens.access_token, email: session.reader.email });
  },
  "/logout": (session) => {
    const address = library.logOut(session);
    for (const name of Object.keys(session)) delete session[name];
    return address;
  },
};

createServer(async (request, response) => {
  const url = new URL(request.url, `http://localhost:${port}`);
  const key = /site=([^;]+)/.exec(request.headers.cookie ?? "")?.[1] ?? randomUUID();
  if (!sessions.has(key)) sessions.set(key, {});
  response.setHeader("set-cookie", `site=${key}; Path=/`).setHeader("content-type", "text/html");
  try {
    const page = await pages[url.pathname](sessions.get(key), url);
    if (page instanceof URL) response.writeHead(302, { location: page.href }).end();
    else response.end(page);
  } catch (error) {
    response.writeHead(500).end(`${error.code}: ${error.cause?.message}`);
  }
}).listen(Number(port), "127.0.0.1", () => console.log("listening"));
