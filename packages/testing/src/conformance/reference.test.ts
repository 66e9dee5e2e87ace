import { reference } from "@nn/tensor";
import { testBackend } from "./conformance.js";

testBackend(() => reference());
