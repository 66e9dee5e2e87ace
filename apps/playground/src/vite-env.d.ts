// What Vite makes of imports that TypeScript does not know.

declare module "*.css";
declare module "*?worker&url" {
  /** Address of a bundled file. */
  const url: string;
  export default url;
}
