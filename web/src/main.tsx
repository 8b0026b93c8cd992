import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import "uplot/dist/uPlot.min.css";
import "./style.css";
import { clock, span, storageText } from "./format";
import { HistoryPage, LinkedIncident } from "./incident_history";
import { Alerts, Incidents } from "./incidents";
import { LineagePage } from "./lineage";
import { lineageAddress, nodeInAddress } from "./lineage_address";
import { watch, type Live } from "./live";
import { Collectors, DeadLetters, Groups, Subjects, Summary, Topics } from "./panels";
import { Tables } from "./tables";

type Theme = "auto" | "light" | "dark";
const themes: Theme[] = ["auto", "light", "dark"];

function useTheme(): [Theme, () => void] {
  const [theme, setTheme] = useState<Theme>(() => (localStorage.getItem("theme") as Theme | null) ?? "auto");
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
    localStorage.setItem("theme", theme);
  }, [theme]);
  return [theme, () => setTheme(themes[(themes.indexOf(theme) + 1) % themes.length]!)];
}

// An incident's address is /#incident/<id>, as notifications link to it.
function incidentInAddress(): string | null {
  const match = /^#incident\/([0-9a-f]+)$/.exec(location.hash);
  return match ? match[1]! : null;
}

function historyInAddress(): boolean {
  return location.hash === "#incidents";
}

function Page() {
  const [live, setLive] = useState<Live>({ overview: null, fetchedAt: 0, problem: null });
  const [tick, setTick] = useState(Date.now());
  const [chosen, setChosen] = useState<string | null>(null); // opened in the list
  const [linked, setLinked] = useState<string | null>(incidentInAddress); // shown by itself, before all else
  const [node, setNode] = useState<string | null>(() => nodeInAddress(location.hash)); // null: another page
  const [past, setPast] = useState(historyInAddress);
  const [theme, nextTheme] = useTheme();

  useEffect(() => watch(setLive), []);
  useEffect(() => {
    const timer = window.setInterval(() => setTick(Date.now()), 1000);
    const moved = () => {
      setLinked(incidentInAddress());
      setNode(nodeInAddress(location.hash));
      setPast(historyInAddress());
    };
    window.addEventListener("hashchange", moved);
    return () => {
      clearInterval(timer);
      window.removeEventListener("hashchange", moved);
    };
  }, []);

  const choose = (id: string | null) => {
    setChosen(id);
    setLinked(null);
    history.replaceState(null, "", id ? "#incident/" + id : location.pathname);
  };
  const chooseNode = (text: string | null) => {
    setNode(text ?? "");
    history.replaceState(null, "", lineageAddress(text ?? undefined));
  };
  const overview = live.overview;
  const now = overview ? overview.now + Math.max(0, tick - live.fetchedAt) / 1000 : tick / 1000;

  return (
    <>
      <header class="bar">
        <h1>
          <svg width="26" height="20" viewBox="0 0 26 20" aria-hidden="true">
            <path d="M1 5c4 0 4 3 8 3s4-3 8-3 4 3 8 3M1 11c4 0 4 3 8 3s4-3 8-3 4 3 8 3" />
          </svg>
          Weir
        </h1>
        <nav>
          <a href="#" aria-current={node === null && !past ? "page" : undefined}>
            Overview
          </a>
          <a href="#incidents" aria-current={past ? "page" : undefined}>
            Incidents
          </a>
          <a href="#lineage" aria-current={node === null ? undefined : "page"}>
            Lineage
          </a>
        </nav>
        {overview ? (
          <span class="dim">
            {overview.version}, up {span(overview.uptime_seconds + now - overview.now)}
          </span>
        ) : null}
        <span class={"connection " + (live.problem ? "bad" : "good")} role="status">
          {live.problem ? `◆ ${live.problem}` : overview ? "● live" : "○ connecting"}
        </span>
        <button type="button" class="theme" onClick={nextTheme} aria-label={"Colours: " + theme}>
          {theme === "auto" ? "◐ auto" : theme === "light" ? "○ light" : "● dark"}
        </button>
      </header>
      {live.problem && overview ? (
        <p class="banner" role="alert">
          Disconnected: everything below is as of {clock(live.fetchedAt / 1000)}. Trying again.
        </p>
      ) : null}
      {node !== null ? (
        <LineagePage chosen={node} choose={chooseNode} />
      ) : past ? (
        <HistoryPage version={live.fetchedAt} />
      ) : overview ? (
        <main class={live.problem ? "old" : ""}>
          <Summary overview={overview} />
          {overview.storage ? <p class="banner" role="alert">{storageText(overview.storage)}</p> : null}
          {overview.truncated ? <p class="banner">Only the 500 worst of each list are shown; /metrics has them all.</p> : null}
          {linked ? (
            <LinkedIncident key={linked} id={linked} known={overview.incidents.find((each) => each.id === linked)} version={live.fetchedAt} close={() => choose(null)} />
          ) : null}
          <div class="columns">
            <Incidents incidents={overview.incidents} now={now} chosen={chosen} choose={choose} />
            <Alerts alerts={overview.alerts} now={now} />
          </div>
          <Groups groups={overview.groups} total={overview.totals.groups} overCap={overview.clusters.reduce((sum, row) => sum + (row.groups_over_cap ?? 0), 0)} />
          <div class="columns wide">
            <Topics topics={overview.topics} total={overview.totals.topics} />
            <DeadLetters rows={overview.dead_letters} total={overview.totals.dead_letter_topics} />
          </div>
          <Tables tables={overview.tables} />
          <Subjects subjects={overview.subjects} total={overview.totals.subjects} />
          <Collectors collectors={overview.collectors} now={now} />
        </main>
      ) : (
        <p class="empty start">{live.problem ?? "Loading…"}</p>
      )}
    </>
  );
}

render(<Page />, document.getElementById("app")!);
