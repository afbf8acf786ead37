import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The page is served by the daemon and works without internet: everything it needs is in `dist`.
export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../src/semafor/app/web/dist",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the content security policy allows no inline anything
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    target: "es2022",
  },
});
