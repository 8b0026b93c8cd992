// Alerts that are active, and incidents with their cause and timeline.
import { Badge, Lasting, Panel, type Tone } from "./parts";
import { span } from "./format";
import { IncidentView } from "./incident_view";
import type { Alert, Incident } from "./types";

function severityTone(severity: string): Tone {
  return severity === "critical" ? "bad" : severity === "info" ? "quiet" : "warn";
}

/** Nobody is told of alerts with these labels for an hour. */
async function silence(alert: Alert, button: HTMLButtonElement) {
  button.disabled = true;
  const now = Date.now();
  const silence = {
    matchers: Object.entries(alert.labels).map(([name, value]) => ({ name, value, isRegex: false, isEqual: true })),
    startsAt: new Date(now).toISOString(),
    endsAt: new Date(now + 3600_000).toISOString(),
    createdBy: "the page",
    comment: "silenced on Weir's page",
  };
  try {
    const answer = await fetch("/api/v2/silences", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(silence) });
    button.textContent = answer.ok ? "silenced" : `not silenced: ${await answer.text()}`;
    button.disabled = answer.ok;
  } catch {
    button.textContent = "not silenced: Weir does not answer";
    button.disabled = false;
  }
}

function Told({ alert }: { alert: Alert }) {
  if (alert.state !== "firing") return null;
  const by = alert.suppressed;
  if (by?.silenced_by.length) return <Badge tone="quiet">silenced</Badge>;
  if (by?.inhibited_by.length) return <Badge tone="quiet">inhibited</Badge>;
  return (
    <button type="button" class="theme" onClick={(event) => silence(alert, event.currentTarget as HTMLButtonElement)}>
      Silence 1 h
    </button>
  );
}

export function Alerts({ alerts, now }: { alerts: Alert[]; now: number }) {
  const order = (alert: Alert) => (alert.state === "firing" ? 0 : 10) + (alert.severity === "critical" ? 0 : 1);
  const rows = [...alerts].sort((a, b) => order(a) - order(b) || b.active_since - a.active_since);
  return (
    <Panel id="alerts" title="Active alerts" count={rows.length} empty="No alert is pending or firing.">
      <ul class="cards">
        {rows.map((alert) => (
          <li key={alert.fingerprint + alert.name} class={"card " + (alert.state === "firing" ? severityTone(alert.severity) : "quiet")} data-alert={alert.name}>
            <div class="top">
              <Badge tone={alert.state === "firing" ? severityTone(alert.severity) : "quiet"}>
                {alert.state === "firing" ? alert.severity || "firing" : "pending"}
              </Badge>
              <strong>{alert.name}</strong>
              <Told alert={alert} />
              <span class="since">
                <Lasting at={alert.active_since} now={now} />
              </span>
            </div>
            <p>{alert.summary || Object.entries(alert.labels).map(([name, value]) => `${name}=${value}`).join(" ")}</p>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

export function Incidents({ incidents, now, chosen, choose }: { incidents: Incident[]; now: number; chosen: string | null; choose: (id: string | null) => void }) {
  const open = incidents.filter((incident) => incident.open).length;
  return (
    <Panel id="incidents" title="Incidents" count={incidents.length} note={open > 0 ? `${open} open` : "none open"} empty="Nothing has happened yet. When an alert fires, its incident appears here with the likely cause.">
      <ul class="cards">
        {incidents.map((incident) => {
          const shown = chosen === incident.id;
          const tone = incident.open ? severityTone(incident.severity) : "good";
          return (
            <li key={incident.id} class={"card incident " + (incident.open ? tone : "done")} data-incident={incident.id} data-open={incident.open}>
              <button type="button" class="head" aria-expanded={shown} onClick={() => choose(shown ? null : incident.id)}>
                <span class="top">
                  <Badge tone={tone}>{incident.open ? incident.severity || "open" : "resolved"}</Badge>
                  <strong>{incident.title}</strong>
                  {incident.open && incident.acknowledged_by ? <Badge tone="quiet">acknowledged by {incident.acknowledged_by}</Badge> : null}
                  {incident.owner ? <span class="of">{incident.owner}</span> : null}
                  <span class="since">
                    {incident.resolved_at === null ? (
                      <>
                        open for <Lasting at={incident.opened_at} now={now} />
                      </>
                    ) : (
                      `lasted ${span(incident.resolved_at - incident.opened_at)}`
                    )}
                  </span>
                </span>
                {incident.cause ? (
                  <span class="cause">
                    <span class="label">{incident.open ? "Likely cause" : "Likely cause was"}</span> {incident.cause}
                  </span>
                ) : null}
              </button>
              {shown ? <IncidentView incident={incident} /> : null}
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}
