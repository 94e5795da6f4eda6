// What the pages' scripts use of the scripts of others that are loaded before them.
interface Window {
  uPlot: any;
  SwaggerUIBundle: any;
}
