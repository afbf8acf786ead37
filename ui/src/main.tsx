import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { apply, preferredTheme } from "./theme";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/views.css";
import "./styles/graph.css";
import "./styles/traces.css";
import "./styles/details.css";

apply(preferredTheme());
const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
