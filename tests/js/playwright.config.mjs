// The project of tests/test_js.py: more tests at once than lines, and some that fail.
import { defineConfig } from "@playwright/test";

export default defineConfig({
  testMatch: "*.spec.mjs",
  workers: Number(process.env.WORKERS),
  fullyParallel: true,
  timeout: Number(process.env.TEST_MS),
  outputDir: process.env.OUTPUT,
  reporter: [["list"]],
});
