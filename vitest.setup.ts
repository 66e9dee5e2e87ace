/** Before each test file: the backend that tests run on, unless they choose another. */
import { reference, setBackend } from "@nn/tensor";

setBackend(reference());
